import kerasteach as kt

descent = kt.gradient_descent("two_minima", learning_rate=[0.05, 0.12], steps=12)
film = kt.plotting.descent_animation(descent, descent.landscape())

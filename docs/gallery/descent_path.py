import kerasteach as kt

descent = kt.gradient_descent("elongated_bowl", learning_rate=[0.02, 0.18, 0.202], steps=50)
ax = kt.plotting.descent_path(descent, descent.landscape())

import kerasteach as kt

descent = kt.gradient_descent("parabola", learning_rate=[0.01, 0.3, 1.02], steps=30)
ax = kt.plotting.descent_values(descent)

from kerasteach import activations as activations
from kerasteach import callbacks as callbacks
from kerasteach import datasets as datasets
from kerasteach import devices as devices
from kerasteach import diagnosis as diagnosis
from kerasteach import experiment as experiment
from kerasteach import initializers as initializers
from kerasteach import layers as layers
from kerasteach import lessons as lessons
from kerasteach import losses as losses
from kerasteach import measure as measure
from kerasteach import models as models
from kerasteach import optimizers as optimizers
from kerasteach import plotting as plotting
from kerasteach import stopping as stopping
from kerasteach import storage as storage
from kerasteach import tables as tables
from kerasteach.diagnosis import diagnose as diagnose
from kerasteach.experiment import Comparison as Comparison
from kerasteach.experiment import compare as compare
from kerasteach.lessons import find_learning_rate as find_learning_rate
from kerasteach.lessons import gradient_descent as gradient_descent
from kerasteach.lessons import loss_surface as loss_surface
from kerasteach.lessons import preflight as preflight
from kerasteach.lessons import trace_step as trace_step
from kerasteach.lessons import training_loop as training_loop

__version__: str

"""Constants of TensorFlow 1's cells and of Magenta's attention; imports nothing."""

# Added to a cell's forget gate at run time, and so not in its bias.
FORGET_BIAS = 1.0

# Where attention is: around the first layer, as in Magenta since 2017-05-24, or around
# all of them, as before and as in its public bundles.
ATTENTION_LAYOUTS = ("first_layer", "all_layers")

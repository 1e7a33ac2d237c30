"""Files of models: ours, TensorFlow 1's, Keras'."""

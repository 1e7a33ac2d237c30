"""A page to hear melodies on, and the blind study of Jaques et al. 2016, section 6."""

"""Dead letters: looking at them, and sending again, once, what can be used by now."""

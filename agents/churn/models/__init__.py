"""Models of P(no activity in the next horizon), each with the few methods of `model.Model`."""

"""Records on their way to an EHR: what is to be told, in a queue, over one line, until it is taken."""

"""The one way in: what a batch is, how a model is called, and what is refused before measuring.

`batch`: tensors with the batch axis first. `model`: a module and how it is called. `state`: the
module as it was, before every call and afterwards. `parameters`: what is trained, and layers whose
state makes a kernel meaningless. `structure`: randomness and inputs that influence each other.
`precision`: a module in another precision for a while. `random_state`: the global random numbers.
"""

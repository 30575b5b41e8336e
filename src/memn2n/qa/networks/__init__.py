"""The networks that answer questions, as PyTorch modules: one module for each family of networks.

``memn2n`` is the end-to-end memory network; its ``QANetwork.hop`` computes one hop. ``parts`` has what families share:
encoding a sentence, attention, reading. These modules are the reference for the C++ engine.
"""

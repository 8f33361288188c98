"""How loops are regulated beyond fixed gains: models of several loops at once, how they are found, what they become.

Records of a test (numbers over time) and the words of a tool file come in; a model with its provenance, the numbers of
the scan's predictor, proposed gains of a loop go out. Imports `config` and `kernels.tables` only; nothing here moves
anything, and what is found here acts only once it stands in a tool file.
"""

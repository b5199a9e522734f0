"""How the transformer is trained: base, recipe, loop, checkpoints, search. Only this folder and the export touch torch."""

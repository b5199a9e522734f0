"""The transformer family as it is served: tokens, ONNX runtime, export to int8. How it is trained is in training/."""

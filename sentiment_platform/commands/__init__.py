"""The commands of the command line, one file a subject. Thin: each calls plain functions and prints what they return."""

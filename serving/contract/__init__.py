"""What goes over the wire: bodies by subject, problems, and what is known of a request while it lasts.

OpenAPI, validation and the answers are made from these structs alone; how an answer is computed stands in `predict` and `live`.
"""

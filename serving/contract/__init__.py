"""What goes over the wire: requests, answers, problems, and what is known of a request while it lasts."""

"""The roles and scopes of API keys. Apart from `api_keys.py`, so that the help of a command need not wait for SQLAlchemy."""

from typing import Literal

Role = Literal["viewer", "operator", "promoter", "admin"]
ROLES: tuple[Role, ...] = ("viewer", "operator", "promoter", "admin")
"""In ascending order of power; a role may do whatever those before it may."""
Scope = Literal["predict", "feedback", "read", "act"]
SCOPES: tuple[Scope, ...] = ("predict", "feedback", "read", "act")
"""What a key may be limited to, within what its role may."""

"""The nouns that travel between rooms: frozen values, no database and no disk."""

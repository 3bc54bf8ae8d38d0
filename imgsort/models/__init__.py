"""All that judges pictures: backbones, runtimes and heads, and the registry of versions."""

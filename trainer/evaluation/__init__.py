"""How good is the new model, and may it serve?"""

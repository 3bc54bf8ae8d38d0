"""What people say of pictures, and what follows from it."""

"""What the live boards tell, as messages."""

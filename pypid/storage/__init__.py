"""What is kept: bytes by digest, bytes on their way in, and the records about them."""

"""Cases from other engines, mapped onto the parts of our prices and run through the real engine."""

"""Everything that is kept about a customer: each room says what it keeps, this one hands it out."""

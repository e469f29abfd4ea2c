"""Ways to pay, one file per provider behind one small port."""

"""Where it comes to rest: tables of rows kept with the position that produced them."""

"""Transport alone: servicers, conversion, errors, paging and interceptors."""

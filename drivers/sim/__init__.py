"""The same devices without hardware, with hands to move them."""

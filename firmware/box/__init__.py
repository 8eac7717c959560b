"""What the daemon has to do with the machine around it: switching it off, its browser, and the technician who asks at the socket."""

"""The driver's place: his job behind one lock, and the camera, scanner and signature that feed it."""

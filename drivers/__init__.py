"""How bytes become values: one file per device, no business."""

"""An iCalendar feed, decided in plain values: which series, exceptions, zones it is made of."""

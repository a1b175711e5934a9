"""A batch cluster: agents of several kinds, part used, and jobs of many shapes."""

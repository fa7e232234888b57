"""One verb a file. Steps meet only through files: what one writes the next one reads."""

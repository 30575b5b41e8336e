"""Running text: from files to word ids."""

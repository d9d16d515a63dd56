"""What is fetched from other indexes, within limits, over connections that are not trusted."""

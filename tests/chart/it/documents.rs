//! What is released: the image's recipe, the workflows, and the dashboard.

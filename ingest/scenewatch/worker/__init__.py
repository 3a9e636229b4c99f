"""The threads that move records through the stages. They know contracts alone; `app` gives them the parts."""

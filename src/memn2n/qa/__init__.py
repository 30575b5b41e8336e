"""Question answering: memory networks that answer questions about stories.

``model.StoryQA`` is the class to use. The memory of a question is the latest sentences of its story.
"""

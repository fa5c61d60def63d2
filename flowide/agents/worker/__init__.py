"""The process that holds litellm: it takes seconds to import, blocks, prints, and can be killed."""

def make():
    from .book import Book
    return Book()

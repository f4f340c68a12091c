"""Say in the person's language what the code says in English: the words of `takopi.texts`."""

from takopi.texts import language, tr, tr_later, tr_n, translated, use_texts

__all__ = ["language", "tr", "tr_later", "tr_n", "translated", "use_texts"]

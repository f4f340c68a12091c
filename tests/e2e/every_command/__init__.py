"""Every command and directive in every kind of chat: the chats, the talk, the rows."""

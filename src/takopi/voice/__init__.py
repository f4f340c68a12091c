"""Voice notes: the ways to have them transcribed, behind `takopi.transcription.Transcriber`."""

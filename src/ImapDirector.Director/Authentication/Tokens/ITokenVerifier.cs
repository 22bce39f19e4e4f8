namespace ImapDirector.Director.Authentication.Tokens;

/// <summary>Says whose a token is.</summary>
internal interface ITokenVerifier
{
    /// <summary>Checks a token. Ends within its own time-out, and never throws because of the token or of what is on the other side.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    ValueTask<TokenAnswer> VerifyAsync(string token, CancellationToken cancellationToken);
}

/// <summary>What became of a token.</summary>
/// <param name="Kind">The answer.</param>
/// <param name="User">What the claim says, when it is <see cref="TokenAnswerKind.Valid"/>.</param>
internal readonly record struct TokenAnswer(TokenAnswerKind Kind, string? User = null);

/// <summary>The kinds of answers.</summary>
internal enum TokenAnswerKind
{
    /// <summary>It is good.</summary>
    Valid,
    /// <summary>It is none, none of this issuer's, for somebody else, too old or not yet good.</summary>
    Invalid,
    /// <summary>It is good for something else.</summary>
    WrongScope,
    /// <summary>The issuer does not say.</summary>
    Failure,
}

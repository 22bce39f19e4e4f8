namespace ImapDirector.Director.Login;

/// <summary>What a client whose login is refused is told. It cannot tell why more finely than this.</summary>
internal enum LoginRefusal
{
    /// <summary><c>NO [AUTHENTICATIONFAILED]</c>: name or password, or asking to be somebody else.</summary>
    AuthenticationFailed,
    /// <summary><c>NO [AUTHORIZATIONFAILED]</c>: a master has proved who they are, and cannot be this user.</summary>
    NotAuthorized,
    /// <summary><c>NO [LIMIT]</c>: too many sessions.</summary>
    LimitReached,
    /// <summary><c>NO [LIMIT]</c>: too many failures from there, or of this user; the password was not looked at.</summary>
    TooManyFailures,
    /// <summary><c>BAD</c>, or nothing where nobody is there any more: the client has broken off in the midst of it.</summary>
    Unfinished,
    /// <summary><c>NO [UNAVAILABLE]</c>: Redis or the node is away, which says nothing about the password.</summary>
    Unavailable,
}

using ImapDirector.Director.Authentication;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Throttling;

/// <summary>Whose password an attempt to log in shows: for them its failure counts.</summary>
/// <param name="Sent">The name as it was sent, UTF-8.</param>
/// <param name="Who">Who that is.</param>
internal readonly record struct LoginClaim(ReadOnlyMemory<byte> Sent, Claimant Who)
{
    /// <summary>A user's.</summary>
    public static LoginClaim OfUser(ReadOnlyMemory<byte> sent, string? defaultDomain) =>
        new(sent, new Claimant(LoginName.TryRead(sent.Span, defaultDomain, out var user) ? user : default, IsMaster: false));

    /// <summary>A master's.</summary>
    public static LoginClaim OfMaster(ReadOnlyMemory<byte> sent) => new(sent, new Claimant(LoginName.TryReadMaster(sent.Span, out var master) ? master : default, IsMaster: true));
}

/// <summary>A user, or a master, who has nothing to do with the user of the same name.</summary>
/// <param name="Name">The canonical name; <c>default</c> when what was sent is none.</param>
/// <param name="IsMaster">Which of both.</param>
internal readonly record struct Claimant(UserName Name, bool IsMaster)
{
    /// <summary>Whether nobody can have the name.</summary>
    public bool IsNobody => Name == default;

    /// <summary>A master has an asterisk in front, which is in no user's name.</summary>
    public override string ToString() => IsMaster ? "*" + Name : Name.ToString();
}

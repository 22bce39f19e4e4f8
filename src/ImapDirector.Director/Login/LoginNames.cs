using ImapDirector.Director.Authentication;

namespace ImapDirector.Director.Login;

/// <summary>Whose password a client shows, and whom it wants to be with it.</summary>
/// <param name="Name">Whose password it is, UTF-8.</param>
/// <param name="ActsFor">Whom it wants to be, where that is somebody else; else <c>null</c>.</param>
internal readonly record struct LoginNames(byte[] Name, byte[]? ActsFor)
{
    /// <summary>Tells them from what was sent.</summary>
    /// <param name="identity">The authorization identity; empty where there is none.</param>
    /// <param name="name">The name, in which both may be (<see cref="MasterOptions.Separator"/>).</param>
    /// <param name="options">The settings.</param>
    public static LoginNames Of(ReadOnlySpan<byte> identity, byte[] name, DirectorOptions options)
    {
        if (identity.IsEmpty || identity.SequenceEqual(name))
            return options.Authentication.Masters?.Separator is { } separator && Array.IndexOf(name, (byte)separator) is >= 0 and var at
                ? new LoginNames(name[(at + 1)..], name[..at])
                : new LoginNames(name, null);
        var isSame = LoginName.TryRead(identity, options.DefaultDomain, out var asked) && LoginName.TryRead(name, options.DefaultDomain, out var user) && asked == user;
        return new LoginNames(name, isSame ? null : identity.ToArray());
    }
}

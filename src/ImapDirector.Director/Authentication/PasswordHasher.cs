namespace ImapDirector.Director.Authentication;

/// <summary>Argon2id on a bounded number of threads.</summary>
internal sealed class PasswordHasher : IDisposable
{
    /// <inheritdoc />
    public void Dispose() => throw new NotImplementedException();
}

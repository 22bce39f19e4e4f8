using ImapDirector.Configuration;
using ImapDirector.Network.Tls;
using ImapDirector.Roles;
using ImapDirector.Tests.Shared;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ImapDirector.Tests.Roles;

public sealed class OperatorAuthoritiesTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ClientAuthority _users = new("Users");
    private readonly ClientAuthority _operators = new("Operators");

    public void Dispose()
    {
        _users.Dispose();
        _operators.Dispose();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public void Whoever_users_authority_signs_for_is_no_operator_by_that_alone()
    {
        using var below = new ClientAuthority("Below", _users);
        using var users = Load("users", _users.Pem);
        foreach (var pem in (string[])[_users.Pem, _users.Pem + "\n" + below.Pem, _operators.Pem + "\n" + _users.Pem])
        {
            using var theirs = Load("operators", pem);
            Assert.Contains("Https:Operators is \"*\"", Assert.Throws<ConfigurationException>(() => OperatorAuthorities.Check(["alice", "*"], theirs, users, new Lines())).Message, StringComparison.Ordinal);
            var lines = new Lines();
            OperatorAuthorities.Check(["alice"], theirs, users, lines);
            Assert.Equal([14], lines.Ids);
            OperatorAuthorities.Check([], theirs, users, lines);
            Assert.Single(lines.Ids);
        }
    }

    [Fact]
    public void With_an_authority_of_their_own_or_without_users_certificates_nothing_is_said()
    {
        using var theirs = Load("operators", _operators.Pem);
        using var users = Load("users", _users.Pem);
        using var nobody = Load("nobody", null);
        var lines = new Lines();
        OperatorAuthorities.Check(["*"], theirs, users, lines);
        OperatorAuthorities.Check(["*"], theirs, nobody, lines);
        OperatorAuthorities.Check(["*"], nobody, nobody, lines);
        Assert.Empty(lines.Ids);
    }

    private ServerCertificate Load(string name, string? authorities)
    {
        var file = Path.Combine(_directory.FullName, name);
        if (authorities is not null) File.WriteAllText(file, authorities);
        return ServerCertificate.LoadOrCreateSelfSigned(_directory.FullName, ["localhost"], clients: authorities is null ? null : new ClientCertificateOptions(file));
    }

    private sealed class Lines : ILogger
    {
        public List<int> Ids { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Ids.Add(eventId.Id);
    }
}

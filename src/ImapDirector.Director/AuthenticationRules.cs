using System.Globalization;
using System.Security.Cryptography;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Authentication.Ldap;
using ImapDirector.Network.Tls;
using ImapDirector.Protocol.Sasl;
using static ImapDirector.Network.SettingRules;

namespace ImapDirector.Director;

/// <summary>The bounds of <see cref="AuthenticationOptions"/>, as <see cref="DirectorOptionsRules"/> tells them.</summary>
internal static class AuthenticationRules
{
    private const string Section = "Authentication:";
    private const int MinScramIterations = 4096;

    public static void Check(AuthenticationOptions options, List<string> errors)
    {
        Between(errors, Section + "Argon2MemoryKiB", options.Argon2MemoryKiB, 8 * Math.Clamp(options.Argon2Lanes, 1, Argon2idHash.MaxLanes), Argon2idHash.MaxMemoryKiB);
        Between(errors, Section + "Argon2Iterations", options.Argon2Iterations, 1, Argon2idHash.MaxIterations);
        Between(errors, Section + "Argon2Lanes", options.Argon2Lanes, 1, Argon2idHash.MaxLanes);
        if ((long)options.Argon2MemoryKiB * options.Argon2Iterations > Argon2idHash.MaxWork)
            errors.Add($"{Section}Argon2Iterations is \"{options.Argon2Iterations}\", which with Argon2MemoryKiB makes more work than a hash may cost: their product is at most {Argon2idHash.MaxWork}.");
        Between(errors, Section + "MaxHashes", options.MaxHashes, 1, 256);
        Between(errors, Section + "MaxWaitingHashes", options.MaxWaitingHashes, 0, 100_000);
        Between(errors, Section + "ScramIterations", options.ScramIterations, MinScramIterations, ScramVerifier.MaxIterations);
        if (SodiumCheck.Fault is { } fault) errors.Add(fault);
        CheckMechanisms(options, errors);
        CheckMasters(options, errors);
        if (options.OffersTokens) CheckTokens(options.Tokens, Section + "Tokens:", errors);
        if (options.Databases.Count == 0) errors.Add($"{Section}Databases is empty: name at least one, such as {{ \"Kind\": \"Redis\" }}, or leave it out.");
        for (var i = 0; i < options.Databases.Count; i++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"{Section}Databases:{i}:");
            switch (options.Databases[i])
            {
                case PasswdFileOptions file:
                    if (!File.Exists(file.File)) errors.Add($"{key}File is \"{Shown(file.File)}\", which does not exist: name a file of lines as name:password.");
                    break;
                case LdapDatabaseOptions ldap:
                    CheckLdap(ldap, key, errors);
                    break;
                case HttpDatabaseOptions http:
                    CheckHttp(http, key, errors);
                    break;
            }
        }
    }

    private static void CheckMechanisms(AuthenticationOptions options, List<string> errors)
    {
        if (options.Mechanisms.Count == 0) errors.Add($"{Section}Mechanisms is empty: name at least one of {string.Join(", ", AuthenticationOptions.KnownMechanisms)}.");
        foreach (var mechanism in options.Mechanisms)
        {
            if (!AuthenticationOptions.KnownMechanisms.Contains(mechanism))
                errors.Add($"{Section}Mechanisms has \"{Shown(mechanism)}\": take out of {string.Join(", ", AuthenticationOptions.KnownMechanisms)}.");
        }
    }

    private static void CheckMasters(AuthenticationOptions options, List<string> errors)
    {
        if (options.Masters is not { } masters) return;
        const string key = Section + "Masters:";
        if (!CanRead(masters.File))
            errors.Add($"{key}File is \"{Shown(masters.File)}\", which cannot be read: name a file of lines as name:password, of at most {PasswdFileDatabase.MaxBytes} bytes, that this process may read.");
        else if (options.Databases.OfType<PasswdFileOptions>().Any(users => CanRead(users.File) && HasSameContent(users.File, masters.File)))
            errors.Add($"{key}File is \"{Shown(masters.File)}\", which is one of Databases, or as empty, so that each user could be every other: name a file with nobody but masters in it.");
        if (masters.Networks.Count == 0)
            errors.Add($"{key}Networks is empty: say from where masters may log in, such as 10.0.0.0/8.");
        foreach (var network in masters.Networks)
            if (network.PrefixLength == 0) errors.Add($"{key}Networks has \"{network}\", which is everywhere: name the networks where the masters are.");
        if (masters.Separator is { } separator && (separator is < '!' or > '~' || Protocol.UserName.TryCreate($"a{separator}a", null, out _)))
            errors.Add($"{key}Separator is \"{Shown(separator.ToString())}\", which may be in a user's name, or is not printable ASCII: take another, such as \"*\".");
    }

    private static bool CanRead(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return stream.Length <= PasswdFileDatabase.MaxBytes;
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return false;
        }
    }

    // By whatever name: links and mounts are others.
    private static bool HasSameContent(string one, string other)
    {
        if (TargetOf(one) == TargetOf(other)) return true;
        using var first = File.OpenRead(one);
        using var second = File.OpenRead(other);
        return first.Length == second.Length && SHA256.HashData(first).AsSpan().SequenceEqual(SHA256.HashData(second));
    }

    private static string TargetOf(string file) => File.ResolveLinkTarget(file, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(file);

    private static void CheckTokens(TokenOptions tokens, string key, List<string> errors)
    {
        if (tokens.Issuer is null && tokens.IntrospectionUrl is null)
            errors.Add($"{key}Issuer is unset, and so is IntrospectionUrl: say who issues the tokens, such as https://id.example.com.");
        if (tokens.Issuer is null && tokens.KeysUrl is not null)
            errors.Add($"{key}Issuer is unset, while KeysUrl is set: say who issues the tokens.");
        foreach (var (name, url) in new[] { ("Issuer", tokens.Issuer), ("KeysUrl", tokens.KeysUrl), ("IntrospectionUrl", tokens.IntrospectionUrl) })
        {
            if (url is not null && (url.Scheme != "https" && !(url.Scheme == "http" && url.IsLoopback) || url.UserInfo.Length > 0))
                errors.Add($"{key}{name} is no address that can be trusted (the value is not shown, it may hold a password): write https://….");
        }
        if (tokens.Audiences.Count == 0 || tokens.Audiences.Any(string.IsNullOrWhiteSpace))
            errors.Add($"{key}Audiences is empty: say for whom tokens must be made, or those for any other service would open mailboxes.");
        if (tokens.UserClaim.Length == 0) errors.Add($"{key}UserClaim is empty: name the claim that holds the user's name, such as email.");
        foreach (var algorithm in tokens.Algorithms.DefaultIfEmpty(""))
        {
            if (!TokenOptions.KnownAlgorithms.Contains(algorithm))
                errors.Add($"{key}Algorithms has \"{Shown(algorithm)}\": take out of {string.Join(", ", TokenOptions.KnownAlgorithms)}.");
        }
        if (tokens.IntrospectionUrl is not null && tokens.ClientId.Length == 0)
            errors.Add($"{key}ClientId is unset, while IntrospectionUrl is set: say who we are there.");
        CheckCa(tokens.CaFile, key, errors);
        if (tokens.Types.Any(string.IsNullOrWhiteSpace)) errors.Add($"{key}Types has an empty one: name what a token may be, such as at+jwt, or leave it out.");
        Between(errors, key + "MaxKeysAge", tokens.MaxKeysAge, TimeSpan.FromHours(1), TimeSpan.FromDays(30));
        Between(errors, key + "ClockTolerance", tokens.ClockTolerance, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Between(errors, key + "Timeout", tokens.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    private static void CheckLdap(LdapDatabaseOptions ldap, string key, List<string> errors)
    {
        if (ldap.Url.Scheme is not ("ldap" or "ldaps") || ldap.Url.Host.Length == 0)
            errors.Add($"{key}Url is \"{Shown(ldap.Url.OriginalString)}\": write ldap://host or ldaps://host.");
        else if (ldap.StartTls && ldap.Url.Scheme == "ldaps")
            errors.Add($"{key}StartTls is \"True\" while Url has TLS from the first byte: leave one of them out.");
        else if (ldap.Url.Scheme == "ldap" && !ldap.StartTls && !ldap.AllowPlainText && !ldap.Url.IsLoopback)
            errors.Add($"{key}Url is \"{Shown(ldap.Url.OriginalString)}\", where passwords would go in the clear: use ldaps, set StartTls, or AllowPlainText on a private network.");
        CheckCa(ldap.CaFile, key, errors);
        if (ldap.SearchBase.Length == 0 && ldap.UserDn is null)
            errors.Add($"{key}SearchBase is unset, and so is UserDn: say where users are searched for, such as ou=people,dc=example,dc=com, or what they are called.");
        if (ldap.SearchBase.Length > 0 && (LdapFilter.TryParse(ldap.SearchFilter) is null || !NamesTheUser(ldap.SearchFilter)))
            errors.Add($"{key}SearchFilter is \"{Shown(ldap.SearchFilter)}\": write a filter out of &, |, !, = and =*, with {{user}} or {{local}} in it, such as (mail={{user}}).");
        if (ldap.UserDn is { } dn && !NamesTheUser(dn))
            errors.Add($"{key}UserDn is \"{Shown(dn)}\": write a name with {{user}} or {{local}} in it, such as uid={{local}},ou=people,dc=example,dc=com.");
        if (ldap.SearchBase.Length > 0 && ldap.UserDn is not null)
            errors.Add($"{key}UserDn is set, and so is SearchBase: leave one of them out.");
        if (ldap.PasswordAttribute is not null && ldap.SearchBase.Length == 0)
            errors.Add($"{key}PasswordAttribute is set without a SearchBase: it is read of what is searched for.");
        Between(errors, key + "MaxConnections", ldap.MaxConnections, 1, 64);
        Between(errors, key + "Timeout", ldap.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    private static void CheckHttp(HttpDatabaseOptions http, string key, List<string> errors)
    {
        if (http.Url.Scheme is not ("http" or "https") || http.Url.UserInfo.Length > 0)
            errors.Add($"{key}Url is no address of a service (the value is not shown, it may hold a password): write https://host/path.");
        else if (http.Url.Scheme == "http" && !http.AllowPlainText && !http.Url.IsLoopback)
            errors.Add($"{key}Url is \"{Shown(http.Url.OriginalString)}\", where passwords would go in the clear: use https, or AllowPlainText on a private network.");
        if (http.HeaderName is { } name && !name.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_'))
            errors.Add($"{key}HeaderName is \"{Shown(name)}\": write the name of a header, out of letters, digits, '-' and '_'.");
        if (http.HeaderValue.Any(static letter => letter is < ' ' or > '~'))
            errors.Add($"{key}HeaderValue has letters that are not printable ASCII (the value is not shown): take them out.");
        CheckCa(http.CaFile, key, errors);
        Between(errors, key + "MaxConnections", http.MaxConnections, 1, 256);
        Between(errors, key + "Timeout", http.Timeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));
    }

    /// <summary>Whether a file holds authorities; <paramref name="key"/> is what stands before <c>CaFile</c>.</summary>
    public static void CheckCa(string? file, string key, List<string> errors)
    {
        if (file is null) return;
        try
        {
            OutgoingTls.For("localhost", file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException or System.Security.Cryptography.CryptographicException)
        {
            errors.Add($"{key}CaFile is \"{Shown(file)}\", which cannot be read as PEM certificates: name a file of them.");
        }
    }

    private static bool NamesTheUser(string text) => text.Contains("{user}", StringComparison.Ordinal) || text.Contains("{local}", StringComparison.Ordinal);
}

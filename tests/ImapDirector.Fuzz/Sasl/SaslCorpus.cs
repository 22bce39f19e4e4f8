namespace ImapDirector.Fuzz.Sasl;

/// <summary>What clients send behind AUTHENTICATE, decoded.</summary>
internal static class SaslCorpus
{
    public static readonly IReadOnlyList<string> Base64 =
    [
        "AGFsaWNlAHNlY3JldA==", "=", "", "*", "biwsbj11c2VyLHI9ZnlrbytkMmxiYkZnT05Sdjlxa3hkYXdM", "YQ==", "YWI=", "YWJj", "====", "YQ==YQ==", "AA AA",
    ];

    public static readonly IReadOnlyList<string> Messages =
    [
        "\0alice\0secret", "alice\0alice\0secret", "bob\0alice\0secret", "\0alice\0", "\0\0secret", "\0alice\0sec\0ret",
        "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", "y,a=other,n=us=3Der=2C,r=abc,x=ext", "p=tls-server-end-point,,n=user,r=abc", "p=tls-exporter,a=user,n=user,r=abc", "n,,m=ext,n=user,r=abc",
        "n,a=alice@example.com,\u0001host=imap.example.com\u0001port=143\u0001auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\u0001\u0001", "n,,\u0001auth=Bearer x\u0001\u0001",
        "user=alice@example.com\u0001auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\u0001\u0001",
    ];

    public static readonly IReadOnlyList<string> Finals =
    [
        "c=biws,r=clientserver,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "c=biws,r=clientserver,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", "c=eSws,r=clientserver,x=1,p=AAAA",
        "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCws,r=clientserver,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    ];

    public static readonly IReadOnlyList<string> Verifiers =
    [
        "{SCRAM-SHA-256}4096,3y4te1EzFXBxs0c41r8sOQ==,UVrL+JqO2ZIT66+wtsU8WFtSC7UBQYhS5SMOcxPPgt8=,lo2X10sACx1ul8x8F6TrVqdMvq70gdLYhkwjnIoE5EU=",
        "SCRAM-SHA-1$4096:kbPT+lyn1DnBnDcKI+mDfA==$vDvnP0AOIbek3f1KcAP0vTXX1Ro=:YDPT8D5R65BHOZpe1JGP7fjjOTY=", "{SCRAM-SHA-256}1000001,,,", "{PLAIN}secret",
    ];
}

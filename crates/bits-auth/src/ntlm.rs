//! NTLM, version 2 alone (MS-NLMP): three messages on one connection, the last of which proves that
//! we know the password and that nobody has changed the first two.

use sspi::{AuthIdentityBuffers, ClientRequestFlags, DataRepresentation, SecurityBuffer, Sspi, SspiImpl, Username};

use crate::package::{Broken, Token, holding, identity, room, taken, unheard};

/// Our side of one exchange.
pub(crate) struct Ntlm {
    context: Box<sspi::Ntlm>,
    credentials: Option<AuthIdentityBuffers>,
}

impl Ntlm {
    /// The exchange of `DOMAIN\user`, `user@domain` or `user`. A `binding` ties it to the channel
    /// that it runs through (RFC 5929).
    ///
    /// # Errors
    /// [`Broken`] for a login that NTLM cannot use.
    pub(crate) fn new(user: &str, password: &str, binding: Option<&[u8]>) -> Result<Self, Broken> {
        let name = Username::parse(user).map_err(|_| Broken::new("the name of the user is none"))?;
        let credentials = identity(name, password)?.into();
        let mut context = Box::new(sspi::Ntlm::new());
        if let Some(binding) = binding {
            context.set_channel_bindings(binding);
        }
        Ok(Self { context, credentials: Some(credentials) })
    }

    /// The first message: what we can do. It tells nothing of the login.
    ///
    /// # Errors
    /// [`Broken`] when it is not the first.
    pub(crate) fn begin(&mut self) -> Result<Token, Broken> {
        // The library reads no challenge before it has written this.
        self.step(&mut [])
    }

    /// The last message, in answer to the server's.
    ///
    /// # Errors
    /// [`Broken`] for what is no such message, and after the last one.
    pub(crate) fn answer(&mut self, challenge: &[u8]) -> Result<Token, Broken> {
        let token = self.step(&mut holding(challenge))?;
        unheard(|| self.context.complete_auth_token(&mut []))?;
        Ok(token)
    }

    fn step(&mut self, input: &mut [SecurityBuffer]) -> Result<Token, Broken> {
        let mut output = room();
        unheard(|| {
            let Self { context, credentials } = self;
            let mut builder = context
                .initialize_security_context()
                .with_credentials_handle(credentials)
                .with_context_requirements(ClientRequestFlags::empty())
                .with_target_data_representation(DataRepresentation::Native)
                .with_input(input)
                .with_output(&mut output);
            SspiImpl::initialize_security_context_impl(&mut **context, &mut builder)?.resolve_to_result()
        })?;
        Ok(taken(output))
    }
}
